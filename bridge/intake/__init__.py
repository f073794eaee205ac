"""The door's own work, pure: reading what was sent, item by item, and deciding each item's fate."""
