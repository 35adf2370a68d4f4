"""What is kept and told of a release beyond its end: the log in S3, and hooks.

``events``   the documents: one for each thing that happened, in a schema that stays. Pure
``journal``  hears a release, writes its log and tells the hooks
``store``    the logs in the app's artifacts bucket: ``releases/ENVIRONMENT/000012.jsonl``
``hooks``    ``[notify.NAME]``: programs and webhooks
``history``  the logs read again
"""
