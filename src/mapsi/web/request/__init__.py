"""What every view needs of a request, and what stands around every answer."""
