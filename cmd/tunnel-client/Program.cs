return Tunnel.App.Hosting.TunnelProgram.RunClient(args);
