"""What seatrial costs in time and memory, each figure beside a peer or a floor that was measured in the same run.

``python -m bench`` measures everything and writes the results into ``bench/README.md``; ``python -m bench NAME...``
only what is named. One file is one measurement: ``startup``, ``memory``, ``release``, ``commands``, ``synth``. The
others serve them: ``stage`` (the example application on an emulator), ``by_hand`` (the same application without one),
``timing`` (programs timed in turns), ``report`` (results as Markdown), ``machine`` (where it was measured).
"""
