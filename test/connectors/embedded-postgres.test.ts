import { leavesNothingBehind } from "../support/left-behind.ts";
import { keepsTheContract } from "./connector-contract.ts";
import { embeddedPostgres } from "./support/postgres-server.ts";
import { postgresKind } from "./support/postgres-lab.ts";

leavesNothingBehind();
keepsTheContract(postgresKind(embeddedPostgres()));
