using System.Net;
using System.Net.Sockets;

namespace Tunnel.EndToEnd.Harness;

/// <summary>
/// What every test here has: a folder, processes that end with it in the reverse order of their start, and, when it failed, what those
/// processes had said.
/// </summary>
[Collection(nameof(Alone))]
public abstract class EndToEndTest : IAsyncLifetime
{
    /// <summary>A test that takes this long hangs.</summary>
    protected const int Limit = 120_000;

    private readonly Stack<IAsyncDisposable> _owned = new();
    private readonly List<(string Title, ChildProcess Process)> _processes = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory($"{Leftovers.Prefix}{Environment.ProcessId}-");

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        while (_owned.TryPop(out IAsyncDisposable? owned))
            await owned.DisposeAsync();
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            PrintLogs();
        _folder.Delete(recursive: true);
    }

    protected string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Disposed after the test, latest first.</summary>
    internal T Own<T>(T owned)
        where T : IAsyncDisposable
    {
        _owned.Push(owned);
        return owned;
    }

    internal async Task<Namespaces> CreateNamespacesAsync(bool addresses = true)
    {
        Requires.Namespaces();
        return Own(await Namespaces.CreateAsync(addresses));
    }

    internal ChildProcess StartProcess(string? networkNamespace, string program, params string[] arguments) =>
        Keep(program, new ChildProcess(networkNamespace, program, arguments));

    internal async Task<TunnelProcess> StartServerAsync(TunnelSettings settings, string? networkNamespace = null)
    {
        TunnelProcess server = Launch([Binaries.Server], settings, networkNamespace);
        await server.ReadyAsync();
        return server;
    }

    internal async Task<TunnelProcess> StartClientAsync(TunnelSettings settings, string? networkNamespace = null)
    {
        TunnelProcess client = Launch([Binaries.Client], settings, networkNamespace);
        await client.ReadyAsync();
        return client;
    }

    /// <summary>Starts a binary without waiting for it to be ready.</summary>
    internal TunnelProcess Launch(string[] command, TunnelSettings settings, string? networkNamespace = null)
    {
        string file = PathOf($"{_processes.Count}.toml");
        File.WriteAllText(file, settings.ToToml());
        return LaunchWith(command, file, networkNamespace);
    }

    /// <summary>The same with a file that is there already.</summary>
    internal TunnelProcess LaunchWith(string[] command, string file, string? networkNamespace = null) =>
        Keep(Path.GetFileName(command[^1]), TunnelProcess.Start(networkNamespace, command, file));

    /// <summary>A UDP port that is free now.</summary>
    protected static int FreeUdpPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private T Keep<T>(string title, T process)
        where T : ChildProcess
    {
        _processes.Add((title, process));
        return Own(process);
    }

    private void PrintLogs()
    {
        foreach ((string title, ChildProcess process) in _processes)
            TestContext.Current.TestOutputHelper?.WriteLine($"--- {title}\n{process.Text}");
    }
}
