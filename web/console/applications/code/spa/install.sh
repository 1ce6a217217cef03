npm install @logto/browser@3 vite
