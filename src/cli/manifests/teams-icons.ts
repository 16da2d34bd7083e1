import icons from "../../../manifests/teams/icons.json" with { type: "json" };

/** The icons of the Teams app package, by their names there. JSON, because Node and bundlers import it alike. */
export function teamsIcons(): Readonly<Record<"color.png" | "outline.png", Uint8Array>> {
  return {
    "color.png": Buffer.from(icons["color.png"], "base64"),
    "outline.png": Buffer.from(icons["outline.png"], "base64"),
  };
}
