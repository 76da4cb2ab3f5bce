using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.Tests.Services;

namespace Tunnel.Tests.Diagnostics.Profiles;

/// <summary>A client and a server in this process that carry bytes without end, and an HTTP server with this process's profiles.</summary>
internal sealed class LoadedTunnel : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TunnelPair _pair;
    private readonly WebApplication _app;
    private readonly Socket _target;
    private readonly Task _load;

    private LoadedTunnel(TunnelPair pair, WebApplication app, Socket target)
    {
        (_pair, _app, _target) = (pair, app, target);
        _load = Task.WhenAll(SwallowAsync(), PourAsync());
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public HttpClient Http { get; }

    public long Carried { get; private set; }

    public static async Task<LoadedTunnel> StartAsync()
    {
        var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        target.Listen();
        TunnelPair pair = await TunnelPair.StartAsync($"[[forward]]\nlisten='127.0.0.1:0'\ntarget='{target.LocalEndPoint}'\n");
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        WebApplication app = builder.Build();
        app.UseRouting();
        app.MapProfiles();
        await app.StartAsync();
        return new LoadedTunnel(pair, app, target);
    }

    public async Task<byte[]> GetAsync(string path)
    {
        using HttpResponseMessage response = await Http.GetAsync(new Uri(path, UriKind.Relative));
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}");
        return body;
    }

    /// <summary>Opens one more connection, and closes it.</summary>
    public async Task ConnectAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_pair.Listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _load;
        Http.Dispose();
        await _app.DisposeAsync();
        await _pair.DisposeAsync();
        _target.Dispose();
        _stop.Dispose();
    }

    private async Task PourAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_pair.Listener);
        byte[] block = new byte[64 * 1024];
        try
        {
            while (true)
                await socket.SendAsync(block, SocketFlags.None, _stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException || (e is SocketException && _stop.IsCancellationRequested))
        {
            // Enough. The other end may have closed first.
        }
    }

    private async Task SwallowAsync()
    {
        byte[] block = new byte[64 * 1024];
        try
        {
            using Socket socket = await _target.AcceptAsync(_stop.Token);
            while (await socket.ReceiveAsync(block, SocketFlags.None, _stop.Token) is int count and > 0)
            {
                Carried += count;
                // Something for the allocation profile to find.
                GC.KeepAlive(new byte[1000]);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Enough.
        }
    }
}
