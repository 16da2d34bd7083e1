import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { withstandsHolders } from "./postgres-attacks.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
withstandsHolders(installedPostgres());
