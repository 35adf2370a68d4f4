"""Renderers from model and graph to source files that a team can own. Pure."""
