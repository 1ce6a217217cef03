npm install @logto/express@3 express@5 express-session cookie-parser
