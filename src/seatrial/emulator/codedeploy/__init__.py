"""AWS CodeDeploy for Amazon ECS: deployments that move task sets and traffic.

``engine``         what the server starts, installs on moto and stops
``*_actions``      the API; ``groups`` and ``configurations`` reading and refusing, ``shapes`` answering, ``paging``
``lifecycle``      the way of a deployment and of a rollback: pure
``appspec``        the AppSpec: pure
``progress``       brings the deployments further: looks, asks ``lifecycle``, carries out what it says
``begin``          how a deployment is made, by a request or as a rollback
``route``          the listener rules between the two target groups of a deployment
``model``          what is remembered, ``store`` where it is found
``surroundings``   the only file that reads moto: target groups, alarms, S3
"""

from seatrial.emulator.codedeploy.engine import CodeDeploy

__all__ = ["CodeDeploy"]
