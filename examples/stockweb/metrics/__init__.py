"""What operators measure, for Prometheus: ``/metrics``."""
