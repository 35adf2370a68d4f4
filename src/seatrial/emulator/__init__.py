"""AWS on this machine: moto's API in front, engines that really run things behind.

Knows nothing of the rest of seatrial and can be used by any AWS client through its endpoint URL.

``process``          start, stop and find an emulator from outside; the state file
``server``           the process itself: builds the engines, installs them on moto, serves
``front``            the one seam to moto: replacing actions and reading its state
``access``           what a caller that IAM knows may do
``cloudformation``   stacks: template language, resource graph, change sets, rollback, resource types
``ecs``              services, deployments and tasks
``lambda_functions`` Python handlers, each invocation in a process of its own
``alarms``           CloudWatch alarms that go off
``schedules``        EventBridge Scheduler: schedules that fire
``runtime``          what a task runs in: plain processes or containers; the image registry behind ECR
``loadbalancing``    target health, rules and the proxy that carries the traffic
``edge``             CloudFront: distributions that serve buckets
``data``             PostgreSQL behind RDS, Valkey behind ElastiCache, and what ``--keep`` keeps
"""
