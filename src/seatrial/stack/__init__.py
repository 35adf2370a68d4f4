"""What runs where: a neutral model of an environment, and its lowering to one resource graph. Pure.

``build`` turns settings into the model, ``lowering`` turns the model into ``graph`` templates; the renderers in
:mod:`seatrial.iac` read model and graph. ``gaps`` says what settings ask for in vain. Nothing here reads a file, a
clock or AWS.
"""
