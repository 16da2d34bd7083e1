import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { isHardOnPostgres } from "./postgres-contract.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
isHardOnPostgres(embeddedPostgres());
