using System.CommandLine;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>The two binaries: a command line with one file, a host, an exit code.</summary>
public static class TunnelProgram
{
    /// <summary>The version that --version prints.</summary>
    public static string Version { get; } =
        typeof(TunnelProgram).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static int RunServer(string[] args) => Run(
        "tunnel-server: takes tunnel sessions on a port and dials what their streams ask for",
        args,
        path => Start(ConfigLoader.LoadServer(path), c => c.Log, c => c.Transport, c => c.Debug, (c, s) => AddService(s, p => new ServerHost(
            c, p.GetRequiredService<ILoggerFactory>(), p.GetRequiredService<IHostApplicationLifetime>())), p => p.GetRequiredService<ServerHost>().GetResult));

    public static int RunClient(string[] args) => Run(
        "tunnel-client: offers SOCKS5 and forwarded ports whose connections go out at the server",
        args,
        path => Start(ConfigLoader.LoadClient(path), c => c.Log, c => c.Transport, c => c.Debug, (c, s) => AddService(s, p => new ClientHost(
            c, p.GetRequiredService<ILoggerFactory>(), p.GetRequiredService<IHostApplicationLifetime>())), p => p.GetRequiredService<ClientHost>().GetResult));

    private static int Run(string description, string[] args, Func<string, int> start)
    {
        var file = new Option<string>("--config", "-c") { Description = "the TOML file", HelpName = "FILE", Required = true };
        var root = new RootCommand(description) { file };
        int result = ExitCode.Success;
        root.SetAction(parsed => result = start(parsed.GetRequiredValue(file)));
        ParseResult parse = root.Parse(args);
        int code = parse.Invoke();
        return parse.Errors.Count != 0 ? ExitCode.Usage : code != 0 ? code : result;
    }

    private static int Start<T>(
        ConfigResult<T> loaded,
        Func<T, LogConfig> log,
        Func<T, TransportConfig> transport,
        Func<T, DebugConfig> debug,
        Action<T, IServiceCollection> add,
        Func<IServiceProvider, Func<int>> result)
        where T : class
    {
        if (loaded.Warnings.Count != 0)
            Console.Error.WriteLine(loaded.DescribeWarnings());
        if (!loaded.IsValid)
        {
            Console.Error.WriteLine(loaded.DescribeProblems());
            return ExitCode.Configuration;
        }

        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        Logging.Configure(builder.Logging, log(loaded.Config).Level);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = transport(loaded.Config).Grace + TimeSpan.FromSeconds(5));
        builder.Services.Configure<ConsoleLifetimeOptions>(o => o.SuppressStatusMessages = true);
        // First, so that a port that is taken is found before anything is set up, and the end can be looked at to its end.
        builder.Services.AddHostedService(p => new DiagnosticsService(
            p.GetRequiredService<ITunnelEnd>(), debug(loaded.Config), loaded.Shown, p.GetRequiredService<ILoggerFactory>()));
        add(loaded.Config, builder.Services);
        builder.Services.AddHostedService<SystemdNotifier>();
        Privilege.RaiseOpenFileLimit();
        return Run(builder, result);
    }

    private static int Run(HostApplicationBuilder builder, Func<IServiceProvider, Func<int>> result)
    {
        using IHost host = builder.Build();
        // Running the host ends with its services disposed.
        Func<int> ended = result(host.Services);
        try
        {
            host.Run();
            return ended();
        }
        catch (StartException e)
        {
            Console.Error.WriteLine(e.Message);
            return e.ExitCode;
        }
    }

    private static void AddService<T>(IServiceCollection services, Func<IServiceProvider, T> create)
        where T : class, IHostedService, ITunnelEnd
    {
        services.AddSingleton(create);
        services.AddSingleton<ITunnelEnd>(p => p.GetRequiredService<T>());
        services.AddHostedService(p => p.GetRequiredService<T>());
    }
}
