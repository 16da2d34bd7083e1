import { leavesNothingBehind } from "../support/left-behind.ts";
import { checksToTheEnd } from "./postgres-checks.ts";
import { embeddedPostgres } from "./support/postgres-server.ts";

leavesNothingBehind();
checksToTheEnd(embeddedPostgres());
