// In place of node-fetch in the bundled program: Vega's loader would fetch data from elsewhere, and charts bring theirs along.
export default undefined
