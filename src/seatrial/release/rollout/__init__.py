"""One service's change, by ECS or by CodeDeploy: begun, watched, judged, taken back."""
