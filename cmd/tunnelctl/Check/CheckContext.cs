using System.Net;
using System.Net.NetworkInformation;
using Tunnel.App.Config;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check;

/// <summary>What the topics of one check share: where to look, for which profile, and the two samples.</summary>
internal sealed class CheckContext
{
    public required KernelFiles Files { get; init; }

    public required IHostCalls Calls { get; init; }

    public TuningProfile Profile { get; init; }

    /// <summary>Null when no file was given.</summary>
    public CheckFile? File { get; init; }

    /// <summary>The tunnel's interface; null when it could not be found, which <see cref="RouteProblem"/> explains.</summary>
    public string? Interface { get; init; }

    /// <summary>How the tunnel's packets leave; null when there is no way or no raw link.</summary>
    public HostRoute? Route { get; init; }

    public string? RouteProblem { get; init; }

    /// <summary>The server's addresses, for a client's file; empty when its name does not resolve.</summary>
    public IReadOnlyList<IPAddress> ServerAddresses { get; init; } = [];

    /// <summary>Why there are none.</summary>
    public string? NameProblem { get; init; }

    public required HostSample Before { get; init; }

    /// <summary>A second later.</summary>
    public required HostSample After { get; init; }

    /// <summary>How long the server may take to answer; null: it is not to be asked.</summary>
    public TimeSpan? ProbeTimeout { get; init; }

    public INicDevice? Nic => Interface is null ? null : Calls.Nic(Interface);

    /// <summary>
    /// No card: loopback, veth, tunnel, bridge. It has no interrupt; what it receives is worked on where it was sent, or where the card
    /// below it was.
    /// </summary>
    public bool IsVirtual => Interface is not null && Files.LinkTarget($"/sys/class/net/{Interface}")?.Contains("/devices/virtual/", StringComparison.Ordinal) is true;

    /// <summary>Why there is nothing to say about the interface.</summary>
    public string NoInterface => RouteProblem ?? "no interface: name one with --interface";

    /// <summary>Processors that are online; 1 when the kernel does not say.</summary>
    public int Processors => OnlineProcessors.Count;

    public IReadOnlyList<int> OnlineProcessors =>
        Files.Read("/sys/devices/system/cpu/online").Text is { } text && Proc.CpuList.ParseList(text) is { Count: > 0 } list ? list : [0];

    /// <summary>Bytes of memory; null when the kernel does not say.</summary>
    public long? MemoryBytes
    {
        get
        {
            string? line = Files.Read("/proc/meminfo").Text?.Split('\n').FirstOrDefault(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
            string[] words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            return words.Length >= 2 && long.TryParse(words[1], out long kibibytes) ? kibibytes * 1024 : null;
        }
    }

    /// <summary>For setting and setting back, where nothing is sampled and no server asked.</summary>
    public static CheckContext ForSetting(KernelFiles files, IHostCalls calls, TuningProfile profile, string? interfaceName) => new()
    {
        Files = files,
        Calls = calls,
        Profile = profile,
        Interface = interfaceName,
        Before = HostSample.Empty,
        After = HostSample.Empty,
    };

    /// <summary>Finds the way, takes the first sample, waits, takes the second.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="wait">Waits between the samples.</param>
    public static async Task<CheckContext> GatherAsync(CheckRequest request, Func<Task> wait, CancellationToken cancel)
    {
        CheckFile? file = request.ConfigPath is null ? null : CheckFile.Load(request.ConfigPath);
        (IReadOnlyList<IPAddress> addresses, string? nameProblem) = await LookUpAsync(request.Calls, file?.Client, cancel).ConfigureAwait(false);
        (HostRoute? route, string? problem) = FindRoute(request, file, addresses.Count > 0 ? addresses[0] : null);
        string? name = request.Interface ?? file?.Network?.Interface ?? route?.Interface;
        HostSample before = HostSample.Read(request.Files, request.Calls, name);
        await wait().ConfigureAwait(false);
        return new CheckContext
        {
            Files = request.Files,
            Calls = request.Calls,
            Profile = request.Profile,
            File = file,
            Interface = name,
            Route = route,
            RouteProblem = problem,
            ServerAddresses = addresses,
            NameProblem = nameProblem,
            Before = before,
            After = HostSample.Read(request.Files, request.Calls, name),
            ProbeTimeout = request.ProbeTimeout,
        };
    }

    private static async Task<(IReadOnlyList<IPAddress> Addresses, string? Problem)> LookUpAsync(
        IHostCalls calls, ClientConfig? client, CancellationToken cancel)
    {
        if (client is null)
            return ([], null);
        if (client.FirstServer.Address is not { } server)
            return ([], $"{client.FirstServer.Srv} names servers by SRV records, which only a session follows");
        if (server.Literal is { } literal)
            return ([literal], null);
        try
        {
            return (await calls.LookUpAsync(server.Host, cancel).ConfigureAwait(false), null);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            return ([], e.Message);
        }
    }

    private static (HostRoute? Route, string? Problem) FindRoute(CheckRequest request, CheckFile? file, IPAddress? server)
    {
        if (file?.Client is not null && server is null)
            return (null, "the server's name does not resolve");
        AddressConfig? family = server?.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? file?.Network?.IPv6 : file?.Network?.IPv4;
        PhysicalAddress? router = family?.RouterMac;
        try
        {
            return (request.Calls.Resolve(new HostQuery
            {
                Remote = server,
                Interface = request.Interface ?? file?.Network?.Interface,
                LocalAddress = family?.Address,
                RouterMac = router,
            }), null);
        }
        catch (LinkException e)
        {
            return (null, e.Message);
        }
    }
}

/// <summary>What a check is to look at.</summary>
internal sealed record CheckRequest
{
    public KernelFiles Files { get; init; } = new();

    public IHostCalls Calls { get; init; } = new HostCalls();

    public TuningProfile Profile { get; init; }

    public string? ConfigPath { get; init; }

    public string? Interface { get; init; }

    public TimeSpan? ProbeTimeout { get; init; }
}
