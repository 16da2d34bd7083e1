import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const folder = resolve(import.meta.dirname, "../../../manifests/teams");

/** The icons of the Teams app package, by their names there. The packed CLI carries them inside (deploy/pack-cli.ts). */
export function teamsIcons(): Readonly<Record<"color.png" | "outline.png", Uint8Array>> {
  return {
    "color.png": readFileSync(resolve(folder, "color.png")),
    "outline.png": readFileSync(resolve(folder, "outline.png")),
  };
}
