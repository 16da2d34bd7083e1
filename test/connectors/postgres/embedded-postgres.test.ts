import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { keepsTheContract } from "../connector-contract.ts";
import { postgresKind } from "../support/postgres-lab.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
keepsTheContract(postgresKind(embeddedPostgres()));
