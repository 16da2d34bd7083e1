/**
 * The tables of `node:http`. Imported as a module, each of its exports would be looked at, and one of them loads a whole
 * client for WebSockets.
 */
export const { METHODS, STATUS_CODES } = process.getBuiltinModule("node:http");
