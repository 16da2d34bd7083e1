import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { checksToTheEnd } from "./postgres-checks.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
checksToTheEnd(embeddedPostgres());
