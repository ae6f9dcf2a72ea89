export { environmentLaws, randomActions } from "./environment-laws.ts";
export { broken, type Law } from "./law.ts";
export { learnerLaws } from "./learner-laws.ts";
export { market } from "./market.ts";
export { type DecisionShape, explainerLaws, perturbationLaws, policyLaws, sampleDecisions } from "./policy-laws.ts";
export { referenceLearner } from "./reference-learner.ts";
