"""The only place that imports boto3: one seam to AWS, typed calls, domain errors, injected time.

``session``  :class:`Aws`: whose account, which region, which endpoint (AWS itself or the emulator); cached clients
``errors``   what botocore raises, as errors a person can act on
``clock``    time for whoever waits
``ecs`` ``ecr`` ``ssm`` ``logs`` ``elbv2`` ``cloudformation`` ``s3``
             one file per service with the calls we use and nothing else; frozen dataclasses come out
``deployments``  what ECS says of a service deployment
"""
