return Tunnel.App.Hosting.TunnelProgram.RunServer(args);
