"""What the tests of all servers share: real servers on loopback, an application behind them, and a client that hides nothing."""
