pip install "flask[async,dotenv]" logto
