package console

// PolicyExample is what a new policy begins with.
const PolicyExample = policyExample
