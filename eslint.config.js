// Rules for the modules that run in a browser, and for their tests in Node.

const BROWSER = [
  "Blob", "CSS", "CSSStyleSheet", "Image", "OffscreenCanvas", "ResizeObserver", "ShadowRoot", "URL",
  "XMLSerializer", "addEventListener", "atob", "clearInterval", "clearTimeout", "console", "document",
  "getComputedStyle", "innerHeight", "innerWidth", "location", "matchMedia", "performance",
  "removeEventListener", "requestAnimationFrame", "setInterval", "setTimeout",
];
const NODE = ["Buffer", "Event", "EventTarget", "URL", "atob", "console", "performance", "process",
  "setTimeout"];
const named = (names) => Object.fromEntries(names.map((name) => [name, "readonly"]));

const rules = Object.fromEntries([
  "array-callback-return", "constructor-super", "dot-notation",
  "eqeqeq", "for-direction", "getter-return", "no-async-promise-executor", "no-class-assign",
  "no-compare-neg-zero", "no-cond-assign", "no-const-assign", "no-constant-binary-expression",
  "no-constant-condition", "no-debugger", "no-delete-var", "no-dupe-args", "no-dupe-class-members",
  "no-dupe-else-if", "no-dupe-keys", "no-duplicate-case", "no-duplicate-imports", "no-empty",
  "no-empty-pattern", "no-eval", "no-ex-assign", "no-fallthrough", "no-func-assign",
  "no-global-assign", "no-implied-eval", "no-import-assign", "no-inner-declarations",
  "no-invalid-regexp", "no-irregular-whitespace", "no-loss-of-precision", "no-new-func",
  "no-new-native-nonconstructor", "no-obj-calls", "no-octal", "no-prototype-builtins",
  "no-redeclare", "no-regex-spaces", "no-self-assign", "no-self-compare", "no-setter-return",
  "no-shadow-restricted-names", "no-sparse-arrays", "no-template-curly-in-string",
  "no-this-before-super", "no-undef", "no-unexpected-multiline", "no-unmodified-loop-condition",
  "no-unreachable", "no-unreachable-loop", "no-unsafe-finally", "no-unsafe-negation",
  "no-unsafe-optional-chaining", "no-unused-private-class-members", "no-useless-backreference",
  "no-useless-catch", "no-useless-escape", "no-useless-rename", "no-useless-return", "no-var",
  "object-shorthand", "prefer-const", "require-yield", "use-isnan", "valid-typeof",
].map((name) => [name, "error"]));
rules["no-constant-condition"] = ["error", { checkLoops: false }];
rules["no-unused-vars"] = ["error", { args: "after-used" }];
rules["max-len"] = ["error", { code: 110 }];

export default [
  { ignores: [".venv/", "build/", "out/", "benchmarks/"] },
  {
    files: ["vision_core/**/*.js", "pages/**/*.js"],
    languageOptions: { globals: named(BROWSER) },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules,
  },
  {
    files: ["tests/**/*.js", "eslint.config.js"],
    languageOptions: { globals: named(NODE) },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules,
  },
];
