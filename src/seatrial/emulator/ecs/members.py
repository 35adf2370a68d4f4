"""What becomes of each member of a request: acted on, kept, or refused by name. Nothing is ignored.

*Acted on*: it changes what runs, or is judged by its value in :mod:`seatrial.emulator.ecs.requests`. *Kept*: shown as
it was given and without effect on what runs here, as docs/emulator.md says: limits of a machine that is not there,
roles that nobody checks, what AWS itself only stores. *Refused*: the engine cannot do it, so a value that asks for it
is an error (an empty or false one asks for nothing). A test holds these tables against botocore's model of ECS: a
member that AWS adds must be given a place here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Members:
    """The members of one shape. ``inner`` names the shape of those that are looked into."""

    acted: frozenset[str]
    kept: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    inner: Mapping[str, str] = field(default_factory=dict)


def _members(acted: str, *, kept: str = "", refused: str = "", **inner: str) -> Members:
    return Members(frozenset(acted.split()), frozenset(kept.split()), frozenset(refused.split()), inner)


#: By the names of botocore's shapes.
SHAPES: dict[str, Members] = {
    "RegisterTaskDefinitionRequest": _members(
        "family networkMode containerDefinitions volumes requiresCompatibilities cpu memory tags runtimePlatform",
        kept="taskRoleArn executionRoleArn ephemeralStorage",
        refused="placementConstraints pidMode ipcMode proxyConfiguration inferenceAccelerators enableFaultInjection "
        "trustedExecutionConfiguration",
        containerDefinitions="ContainerDefinition",
        volumes="Volume",
    ),
    "ContainerDefinition": _members(
        "name image portMappings essential entryPoint command environment environmentFiles mountPoints secrets "
        "dependsOn startTimeout stopTimeout user workingDirectory readonlyRootFilesystem dockerLabels "
        "logConfiguration healthCheck linuxParameters restartPolicy",
        kept="cpu memory memoryReservation ulimits versionConsistency",
        refused="repositoryCredentials links volumesFrom hostname disableNetworking privileged dnsServers "
        "dnsSearchDomains extraHosts dockerSecurityOptions interactive pseudoTerminal systemControls "
        "resourceRequirements firelensConfiguration credentialSpecs",
        portMappings="PortMapping",
        linuxParameters="LinuxParameters",
        logConfiguration="LogConfiguration",
        restartPolicy="ContainerRestartPolicy",
    ),
    "PortMapping": _members("containerPort", kept="hostPort protocol name appProtocol", refused="containerPortRange"),
    "LinuxParameters": _members(
        "initProcessEnabled",  # whatever it says, orphans of a container are reaped
        kept="capabilities",
        refused="devices sharedMemorySize tmpfs maxSwap swappiness",
    ),
    "ContainerRestartPolicy": _members("", kept="ignoredExitCodes restartAttemptPeriod", refused="enabled"),
    "LogConfiguration": _members("logDriver options secretOptions"),
    "Volume": _members(
        "name host",
        refused="dockerVolumeConfiguration efsVolumeConfiguration s3filesVolumeConfiguration "
        "fsxWindowsFileServerVolumeConfiguration configuredAtLaunch",
        host="HostVolumeProperties",
    ),
    "HostVolumeProperties": _members("", refused="sourcePath"),
    "CreateServiceRequest": _members(
        "cluster serviceName taskDefinition loadBalancers desiredCount clientToken launchType "
        "capacityProviderStrategy role deploymentConfiguration networkConfiguration healthCheckGracePeriodSeconds "
        "schedulingStrategy deploymentController tags enableECSManagedTags propagateTags serviceConnectConfiguration "
        "enableExecuteCommand",
        kept="availabilityZoneRebalancing platformVersion",
        refused="serviceRegistries placementConstraints placementStrategy volumeConfigurations "
        "vpcLatticeConfigurations gatewayConnectors monitoring",
        deploymentConfiguration="DeploymentConfiguration",
        loadBalancers="LoadBalancer",
        serviceConnectConfiguration="ServiceConnectConfiguration",
    ),
    "UpdateServiceRequest": _members(
        "cluster service desiredCount taskDefinition capacityProviderStrategy deploymentConfiguration "
        "networkConfiguration forceNewDeployment healthCheckGracePeriodSeconds deploymentController "
        "enableECSManagedTags loadBalancers propagateTags serviceConnectConfiguration "
        "enableExecuteCommand",
        kept="availabilityZoneRebalancing platformVersion",
        refused="serviceRegistries placementConstraints placementStrategy volumeConfigurations "
        "vpcLatticeConfigurations gatewayConnectors monitoring",
        deploymentConfiguration="DeploymentConfiguration",
        loadBalancers="LoadBalancer",
        serviceConnectConfiguration="ServiceConnectConfiguration",
    ),
    "DeploymentConfiguration": _members(
        "deploymentCircuitBreaker maximumPercent minimumHealthyPercent alarms strategy earlySuccessCriteria "
        "bakeTimeInMinutes lifecycleHooks linearConfiguration canaryConfiguration",
    ),
    "LoadBalancer": _members(
        "targetGroupArn containerName containerPort advancedConfiguration loadBalancerName"  # AWS refuses the last too
    ),
    "ServiceConnectConfiguration": _members(
        "", kept="namespace services containerConfigurations logConfiguration accessLogConfiguration", refused="enabled"
    ),
    "RunTaskRequest": _members(
        "capacityProviderStrategy cluster count enableECSManagedTags group launchType networkConfiguration overrides "
        "propagateTags startedBy tags taskDefinition clientToken enableExecuteCommand",
        kept="platformVersion referenceId",
        refused="placementConstraints placementStrategy volumeConfigurations",
        overrides="TaskOverride",
    ),
    "TaskOverride": _members(
        "containerOverrides",
        kept="cpu memory executionRoleArn taskRoleArn ephemeralStorage",
        refused="inferenceAcceleratorOverrides",
        containerOverrides="ContainerOverride",
    ),
    "ContainerOverride": _members(
        "name command environment environmentFiles", kept="cpu memory memoryReservation", refused="resourceRequirements"
    ),
}


def refused(shape: str, value: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of what is asked for and refused, such as ``volumes.efsVolumeConfiguration``."""
    return tuple(dict.fromkeys(_refused(shape, value, "")))


def _refused(shape: str, value: Mapping[str, Any], above: str) -> Iterator[str]:
    members = SHAPES[shape]
    for name, given in value.items():
        if not given:
            continue
        path = f"{above}{name}"
        if name in members.refused:
            yield path
        elif inner := members.inner.get(name):
            for each in given if isinstance(given, list) else [given]:
                yield from _refused(inner, each, f"{path}.")
