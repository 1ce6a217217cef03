npm install @logto/next@4
