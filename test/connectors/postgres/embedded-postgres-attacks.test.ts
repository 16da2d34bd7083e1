import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { withstandsHolders } from "./postgres-attacks.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
withstandsHolders(embeddedPostgres());
