import packageJson from "../../../package.json" with { type: "json" };

/** The version shown on every surface, from package.json. */
export const programVersion: string = packageJson.version;
