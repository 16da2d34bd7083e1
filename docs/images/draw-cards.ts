import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cardPictures } from "./card-pictures.ts";

// npm run pictures
for (const [name, svg] of cardPictures()) writeFileSync(join(import.meta.dirname, name), svg);
