import packageJson from "../../../package.json" with { type: "json" };

/** The version of this program, on every surface the one of package.json. */
export const programVersion: string = packageJson.version;
