import type { CodegenConfig } from "@graphql-codegen/cli";

// Types of the operations in src/*/*.graphql, checked against the server's schema. The documents are strings, so that
// the page contains no parser.
const output = (folder: string) => ({
  [`src/${folder}/operations.ts`]: {
    documents: `src/${folder}/*.graphql`,
    plugins: ["typescript-operations", "typed-document-node"],
    config: {
      documentMode: "string",
      enumsAsTypes: true,
      useTypeImports: true,
      avoidOptionals: { field: true },
      immutableTypes: true,
      scalars: { ID: "string", Cursor: "string", DateTime: "string", Date: "string", JSON: "unknown" },
    },
  },
});

const config: CodegenConfig = {
  schema: "../../graph/*.graphqls",
  generates: { ...output("session"), ...output("shell"), ...output("chat"), ...output("tasks"), ...output("settings") },
};

export default config;
