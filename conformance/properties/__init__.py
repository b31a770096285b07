"""The properties, one file for each section of the page: pytest tests that the plugin collects by clause."""
