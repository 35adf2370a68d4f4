"""Amazon ECS: services, deployments and tasks that really run.

``engine``       what the server starts; ``*_actions`` the API; ``requests`` reading and refusing, ``shapes`` answering
``strategy``     ``deploymentConfiguration``: what may be asked and what it means; ``refusals`` how it is refused
``lifecycle``    the stages of blue/green, linear and canary, ``hooks`` what runs at them: pure
``rollouts``     applies those; ``groups`` in which target group a revision stands
``task_sets``    the revisions of a service that CodeDeploy deploys
``schedule``     the scheduler's decision, ``breaker`` circuit breaker and back-off, ``health``, ``dependencies``,
                 ``definitions``, ``events``, ``metadata``, ``paging``: pure
``reconcile``    applies the decisions; ``deployments`` what becomes of deployments; ``launch``, ``task`` a task's life
``model``        what is remembered, ``state`` where it is found
``surroundings`` the only file that reads moto: clusters, task definitions, logs, secrets, target groups
"""

from seatrial.emulator.ecs.engine import EcsEngine

__all__ = ["EcsEngine"]
