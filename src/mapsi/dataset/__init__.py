"""From folders of labelled photos to a manifest: what is learned from, what is measured on, and why."""
