import { zipSync } from "fflate";
import { teamsIcons } from "./teams-icons.ts";
import { teamsManifest, type TeamsManifestOptions } from "./teams-manifest.ts";

/** The earliest time of the zip format, so that the same manifest always makes the same bytes. */
const zipEpoch = new Date(1980, 0, 1);

/** The app package to upload to Teams: the manifest and its two icons. */
export function teamsPackage(options: TeamsManifestOptions): Uint8Array {
  const manifest = `${JSON.stringify(teamsManifest(options), undefined, 2)}\n`;
  return zipSync(
    {
      "manifest.json": new TextEncoder().encode(manifest),
      ...teamsIcons(),
    },
    { mtime: zipEpoch },
  );
}
