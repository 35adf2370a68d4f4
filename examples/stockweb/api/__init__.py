"""JSON for programs: one part, and adding to or taking from its stock."""
