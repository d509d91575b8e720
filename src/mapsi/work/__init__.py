"""Work done beside serving: refreshes on a schedule, and the jobs they bring about. Owns Celery."""
