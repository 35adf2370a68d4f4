"""How Flower shows queues and workers. It reads this file by itself when it starts in this directory.

The login comes from the environment, where no process list shows it, and without one Flower does not start.
"""

from flower.urls import handlers
from flower.views.monitor import Metrics

from stockweb.environment import required

basic_auth = [f"flower:{required('FLOWER_PASSWORD')}"]
url_prefix = "flower"
# Tasks kept in memory; what is older is forgotten.
max_tasks = 5_000

# Flower asks nobody for a login at /metrics, which names every task and worker.
handlers.remove((r"/metrics", Metrics))
