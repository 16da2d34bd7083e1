import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { zipSync } from "fflate";
import { teamsManifest, type TeamsManifestOptions } from "./teams-manifest.ts";

const icons = resolve(import.meta.dirname, "../../manifests/teams");
/** The earliest moment a zip file can name, so that the same manifest makes the same bytes. */
const zipEpoch = new Date(1980, 0, 1);

/** The app package to be uploaded to Teams: the manifest and its two icons. */
export function teamsPackage(options: TeamsManifestOptions): Uint8Array {
  const manifest = `${JSON.stringify(teamsManifest(options), undefined, 2)}\n`;
  return zipSync(
    {
      "manifest.json": new TextEncoder().encode(manifest),
      "color.png": readFileSync(resolve(icons, "color.png")),
      "outline.png": readFileSync(resolve(icons, "outline.png")),
    },
    { mtime: zipEpoch },
  );
}
