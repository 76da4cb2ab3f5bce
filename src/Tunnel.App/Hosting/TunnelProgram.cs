using System.CommandLine;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics;
using Tunnel.App.Runtime;
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
        path => StartServer(ConfigLoader.LoadServer(path)));

    public static int RunClient(string[] args) => Run(
        "tunnel-client: offers SOCKS5 and forwarded ports whose connections go out at the server",
        args,
        path => Start<ClientConfig, ClientHost>(ConfigLoader.LoadClient(path), ConfigLoader.LoadClient, (config, p) => new ClientHost(
            config, p.GetRequiredService<ILoggerFactory>(), p.GetRequiredService<IHostApplicationLifetime>())
        {
            Hurry = p.GetRequiredService<StopSignals>().Hurry,
        }));

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

    private static int StartServer(ConfigResult<ServerConfig> loaded)
    {
        // Measured: with it the first client is answered in 9 ms instead of 55. A client would only begin later by what it rehearsed.
        if (loaded.IsValid)
            Rehearsal.Begin(loaded.Config.Transport);
        return Start<ServerConfig, ServerHost>(loaded, ConfigLoader.LoadServer, (config, p) => new ServerHost(
            config, p.GetRequiredService<ILoggerFactory>(), p.GetRequiredService<IHostApplicationLifetime>())
        {
            Hurry = p.GetRequiredService<StopSignals>().Hurry,
        });
    }

    private static int Start<TConfig, THost>(
        ConfigResult<TConfig> loaded, Func<string, ConfigResult<TConfig>> load, Func<TConfig, IServiceProvider, THost> create)
        where TConfig : class, IProcessConfig
        where THost : class, IHostedService, ITunnelHost<TConfig>, ITunnelEnd
    {
        if (loaded.Warnings.Count != 0)
            Say(LogLevel.Warning, loaded.DescribeWarnings());
        if (!loaded.IsValid)
        {
            Say(LogLevel.Error, loaded.DescribeProblems());
            return ExitCode.Configuration;
        }

        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        var level = new LogLevelSwitch(loaded.Config.Log.Level);
        Logging.Configure(builder.Logging, loaded.Config.Log, level);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = StopTimeout(loaded.Config));
        builder.Services.Configure<ConsoleLifetimeOptions>(o => o.SuppressStatusMessages = true);
        AddService(builder.Services, p => new StopSignals(p.GetRequiredService<IHostApplicationLifetime>()));
        // Before the tunnel, so that it ends behind it.
        if (loaded.Config.Otlp is { } collector)
            builder.Services.AddHostedService(_ => new OtlpService(collector, typeof(TConfig) == typeof(ServerConfig) ? "tunnel-server" : "tunnel-client"));
        var shown = new ShownText(loaded.Shown.ToString());
        // First, so that a port that is taken is found before anything is set up, and the end can be looked at to its end.
        builder.Services.AddHostedService(p => new DiagnosticsService(
            p.GetRequiredService<THost>(), loaded.Config.Debug, () => shown.Now, p.GetRequiredService<ILoggerFactory>()));
        AddService(builder.Services, p => create(loaded.Config, p));
        AddService(builder.Services, p => new SystemdNotifier(p.GetRequiredService<IHostApplicationLifetime>()));
        AddService(builder.Services, p => new QuietCollection(p.GetRequiredService<THost>().Ledger));
        // Last: what it changes has started, and it stops first.
        AddService(builder.Services, p => new ConfigReloader<TConfig>(
            loaded,
            load,
            next => Apply(p.GetRequiredService<THost>(), next, level, p),
            shown.Set,
            p.GetRequiredService<SystemdNotifier>(),
            LoggerOf(p)));
        Privilege.RaiseOpenFileLimit();
        return Run(builder, p => p.GetRequiredService<THost>().GetResult);
    }

    private static void Apply<TConfig>(ITunnelHost<TConfig> host, TConfig next, LogLevelSwitch level, IServiceProvider services)
        where TConfig : IProcessConfig
    {
        level.Set(next.Log.Level);
        services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout = StopTimeout(next);
        host.Apply(next);
    }

    /// <summary>What a stop waits for, and the closing after it.</summary>
    private static TimeSpan StopTimeout(IProcessConfig config) => config.Transport.Grace + TimeSpan.FromSeconds(5);

    private static ILogger LoggerOf(IServiceProvider services) => services.GetRequiredService<ILoggerFactory>().CreateLogger("tunnel");

    private static int Run(HostApplicationBuilder builder, Func<IServiceProvider, Func<int>> result)
    {
        using IHost host = builder.Build();
        DefectLog.OfProcess.TellTo(LoggerOf(host.Services));
        // Running the host ends with its services disposed.
        Func<int> ended = result(host.Services);
        // What starting left behind, and what a first collection costs more than others: now, and not under load.
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(Ballast.Load);
        CancellationToken hurry = host.Services.GetRequiredService<StopSignals>().Hurry;
        try
        {
            host.Run();
            return ended() is not ExitCode.Success and int code ? code : hurry.IsCancellationRequested ? ExitCode.Hurried : ExitCode.Success;
        }
        catch (StartException e)
        {
            Say(LogLevel.Error, e.Message);
            return e.ExitCode;
        }
    }

    /// <summary>What is said while there is no log; to the journal with its priority, a line each.</summary>
    private static void Say(LogLevel level, string text)
    {
        string prefix = Journal.IsStandardError() ? Journal.Prefix(level) : "";
        foreach (string line in text.Split('\n'))
            Console.Error.WriteLine(prefix + line);
    }

    /// <summary>A service that others can ask for.</summary>
    private static void AddService<T>(IServiceCollection services, Func<IServiceProvider, T> create)
        where T : class, IHostedService
    {
        services.AddSingleton(create);
        services.AddHostedService(p => p.GetRequiredService<T>());
    }
}
