/** Tests run from source, before any build: the custom condition resolves every workspace package to its `src`. */
export default {
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: ["@magic-mask/source", "node", "node-addons"] },
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
  testMatch: ["<rootDir>/{packages,apps}/*/{src,test}/**/*.test.ts", "<rootDir>/test/*.test.ts"],
  modulePathIgnorePatterns: ["/dist/"],
  /** A net under tests that hang; nothing is timed by it. */
  testTimeout: 180_000,
  maxWorkers: "100%",
  watchman: false,
};
