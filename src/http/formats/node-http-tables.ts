/** Constants of `node:http`. A static import would read every export, and one of them loads a WebSocket client. */
export const { METHODS, STATUS_CODES } = process.getBuiltinModule("node:http");
