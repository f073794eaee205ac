// Medplum's core names WebSocket when it is loaded and Node has one from 22 on; nothing here opens one.
globalThis.WebSocket ??= class {};
