"""The properties, one or more files for each section of the page: pytest tests that the plugin collects by clause."""
