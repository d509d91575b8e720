"""Work that goes on beside serving: refreshes on a schedule, and the jobs they bring about. Owns Celery."""
