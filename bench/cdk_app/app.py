"""The stack that examples/stockweb needs in production, written with AWS CDK: what ``cdk synth`` is measured on.

Level 2 constructs throughout, where CDK has them, and the same resources that ``seatrial synth`` writes: two zones, a
load balancer with HTTPS, three Fargate services, one-off tasks, a job by the clock, PostgreSQL, Valkey, a registry.
It is meant to be synthesized and never to be deployed.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import (  # type: ignore[import-not-found,unused-ignore]  # is in an environment of its own
    App,
    Duration,
    RemovalPolicy,
    Stack,
    TimeZone,
    aws_certificatemanager,
    aws_ec2,
    aws_ecr,
    aws_ecs,
    aws_elasticache,
    aws_elasticloadbalancingv2,
    aws_logs,
    aws_rds,
    aws_scheduler,
    aws_scheduler_targets,
    aws_secretsmanager,
)

CERTIFICATE = "arn:aws:acm:eu-west-3:123456789012:certificate/11111111-1111-1111-1111-111111111111"
SERVICES = {
    "web": ["gunicorn", "stockweb.wsgi", "--bind", "0.0.0.0:8000"],
    "worker": ["celery", "-A", "stockweb", "worker", "--concurrency", "2"],
    "beat": ["celery", "-A", "stockweb", "beat"],
}
TASKS = {
    "migrate": ["python", "manage.py", "migrate", "--noinput"],
    "seed": ["python", "manage.py", "seed_data"],
    "low-stock-digest": ["python", "manage.py", "send_low_stock_digest"],
}


@dataclass(frozen=True)
class Base:
    """What tasks stand on."""

    stack: Stack
    vpc: aws_ec2.Vpc
    tasks: aws_ec2.SecurityGroup
    database: aws_rds.DatabaseInstance
    cache: aws_elasticache.CfnReplicationGroup
    repository: aws_ecr.Repository
    secret: aws_secretsmanager.Secret


def main() -> None:
    """Synthesize."""
    app = App()
    stack = Stack(app, "stockweb-production")  # of any account and region, so that nothing is looked up
    base = _base(stack)
    definitions = {unit: _definition(base, unit, command) for unit, command in (SERVICES | TASKS).items()}
    cluster = aws_ecs.Cluster(stack, "Cluster", vpc=base.vpc)
    services = {unit: _service(base, cluster, unit, definitions[unit]) for unit in SERVICES}
    _balance(base, services["web"])
    aws_scheduler.Schedule(
        stack,
        "LowStockDigest",
        schedule=aws_scheduler.ScheduleExpression.cron(hour="6", minute="0", time_zone=TimeZone.ETC_UTC),
        target=aws_scheduler_targets.EcsRunFargateTask(
            cluster,
            task_definition=definitions["low-stock-digest"],
            security_groups=[base.tasks],
            vpc_subnets=aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PUBLIC),
            assign_public_ip=True,
        ),
    )
    app.synth()


def _base(stack: Stack) -> Base:
    vpc = aws_ec2.Vpc(
        stack,
        "Vpc",
        max_azs=2,
        nat_gateways=0,
        restrict_default_security_group=False,
        subnet_configuration=[
            aws_ec2.SubnetConfiguration(name="public", subnet_type=aws_ec2.SubnetType.PUBLIC),
            aws_ec2.SubnetConfiguration(name="data", subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED),
        ],
    )
    tasks = aws_ec2.SecurityGroup(stack, "Tasks", vpc=vpc)
    database = aws_rds.DatabaseInstance(
        stack,
        "Database",
        engine=aws_rds.DatabaseInstanceEngine.postgres(version=aws_rds.PostgresEngineVersion.VER_17),
        instance_type=aws_ec2.InstanceType("t4g.small"),
        vpc=vpc,
        vpc_subnets=aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED),
        credentials=aws_rds.Credentials.from_generated_secret("stockweb"),
        database_name="stockweb",
        multi_az=True,
        storage_encrypted=True,
        deletion_protection=True,
        backup_retention=Duration.days(14),
        removal_policy=RemovalPolicy.SNAPSHOT,
    )
    database.connections.allow_default_port_from(tasks)
    return Base(
        stack,
        vpc,
        tasks,
        database,
        _cache(stack, vpc, tasks),
        aws_ecr.Repository(stack, "Repository", repository_name="stockweb", image_scan_on_push=True),
        aws_secretsmanager.Secret(stack, "SecretKey", secret_name="stockweb/production/DJANGO_SECRET_KEY"),
    )


def _cache(stack: Stack, vpc: aws_ec2.Vpc, tasks: aws_ec2.SecurityGroup) -> aws_elasticache.CfnReplicationGroup:
    """Valkey, of which CDK has level 1 constructs only."""
    group = aws_ec2.SecurityGroup(stack, "CacheGroup", vpc=vpc)
    group.add_ingress_rule(tasks, aws_ec2.Port.tcp(6379))
    subnets = aws_elasticache.CfnSubnetGroup(
        stack,
        "CacheSubnets",
        description="Where the cache is",
        subnet_ids=vpc.select_subnets(subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids,
    )
    return aws_elasticache.CfnReplicationGroup(
        stack,
        "Cache",
        replication_group_description="Cache and broker",
        engine="valkey",
        cache_node_type="cache.t4g.micro",
        num_cache_clusters=1,
        automatic_failover_enabled=False,
        transit_encryption_enabled=True,
        at_rest_encryption_enabled=True,
        cache_subnet_group_name=subnets.ref,
        security_group_ids=[group.security_group_id],
    )


def _definition(base: Base, unit: str, command: list[str]) -> aws_ecs.FargateTaskDefinition:
    definition = aws_ecs.FargateTaskDefinition(base.stack, f"{unit}-task", cpu=256, memory_limit_mib=512)
    credentials = base.database.secret
    definition.add_container(
        unit,
        image=aws_ecs.ContainerImage.from_ecr_repository(base.repository, "none"),
        command=command,
        stop_timeout=Duration.seconds(30),
        port_mappings=[aws_ecs.PortMapping(container_port=8000)] if unit == "web" else [],
        environment={
            "DJANGO_SETTINGS_MODULE": "stockweb.settings",
            "PYTHONUNBUFFERED": "1",
            "PGHOST": base.database.db_instance_endpoint_address,
            "PGPORT": base.database.db_instance_endpoint_port,
            "PGDATABASE": "stockweb",
            "REDIS_URL": f"rediss://{base.cache.attr_primary_end_point_address}:6379/0",
        },
        secrets={
            "DJANGO_SECRET_KEY": aws_ecs.Secret.from_secrets_manager(base.secret),
            "PGUSER": aws_ecs.Secret.from_secrets_manager(credentials, "username"),
            "PGPASSWORD": aws_ecs.Secret.from_secrets_manager(credentials, "password"),
        },
        logging=aws_ecs.LogDrivers.aws_logs(
            stream_prefix="ecs",
            log_group=aws_logs.LogGroup(
                base.stack,
                f"{unit}-log",
                log_group_name=f"/stockweb/production/{unit}",
                retention=aws_logs.RetentionDays.ONE_MONTH,
            ),
        ),
    )
    return definition


def _service(
    base: Base, cluster: aws_ecs.Cluster, unit: str, definition: aws_ecs.FargateTaskDefinition
) -> aws_ecs.FargateService:
    alone = unit == "beat"
    return aws_ecs.FargateService(
        base.stack,
        f"{unit}-service",
        cluster=cluster,
        task_definition=definition,
        service_name=unit,
        desired_count=3 if unit == "web" else 1,
        min_healthy_percent=0 if alone else 100,
        max_healthy_percent=100 if alone else 200,
        assign_public_ip=True,
        security_groups=[base.tasks],
        vpc_subnets=aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PUBLIC),
        circuit_breaker=aws_ecs.DeploymentCircuitBreaker(rollback=True),
    )


def _balance(base: Base, web: aws_ecs.FargateService) -> None:
    balancer = aws_elasticloadbalancingv2.ApplicationLoadBalancer(
        base.stack, "LoadBalancer", vpc=base.vpc, internet_facing=True
    )
    balancer.add_redirect()
    listener = balancer.add_listener(
        "Https",
        port=443,
        certificates=[aws_certificatemanager.Certificate.from_certificate_arn(base.stack, "Certificate", CERTIFICATE)],
        default_action=aws_elasticloadbalancingv2.ListenerAction.fixed_response(404),
    )
    listener.add_targets(
        "Web",
        port=8000,
        protocol=aws_elasticloadbalancingv2.ApplicationProtocol.HTTP,
        targets=[web],
        priority=100,
        conditions=[aws_elasticloadbalancingv2.ListenerCondition.host_headers(["stockweb.example"])],
        health_check=aws_elasticloadbalancingv2.HealthCheck(path="/health/ready", interval=Duration.seconds(5)),
        deregistration_delay=Duration.seconds(30),
    )


if __name__ == "__main__":
    main()
