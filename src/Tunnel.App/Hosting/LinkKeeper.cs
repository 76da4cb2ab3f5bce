using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>
/// Keeps a server's links where they belong: opens all of them again when one broke (the interface went away), and on another interface
/// when "auto" means another one. The sessions on them stay: they know their peers by address, and answer where their frames come from.
/// </summary>
internal sealed partial class LinkKeeper(ServerLinks links, IReadOnlyList<ReplaceableLink> standing, ILogger logger)
{
    private readonly SemaphoreSlim _news = new(0);
    private readonly BackOff _backOff = new(Random.Shared);
    private volatile bool _broken;
    private bool _failed;
    private string _lastProblem = "";

    /// <summary>Runs until cancelled, or until a broken link cannot be opened again for a reason that does not pass.</summary>
    /// <exception cref="LinkException">Trying again cannot help.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        foreach (ReplaceableLink link in standing)
            link.Broke += OnBroke;
        using HostNetworkMonitor? network = links.FollowsNetwork ? new HostNetworkMonitor() : null;
        if (network is not null)
            network.Changed += () => _news.Release();
        // What changed before anybody listened is seen at once.
        for (_news.Release(); !stop.IsCancellationRequested; Follow())
        {
            TimeSpan longest = _broken || _failed ? _backOff.Next() : Timeout.InfiniteTimeSpan;
            await ((Task)_news.WaitAsync(longest, stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
                return;
            while (_news.Wait(0, CancellationToken.None))
            {
                // Several changes ask for one look.
            }
        }
    }

    private void OnBroke(LinkException e)
    {
        Complain(e.Message);
        _broken = true;
        _news.Release();
    }

    private void Follow()
    {
        bool broken = _broken;
        try
        {
            if (broken || links.LeadElsewhere())
                Replace();
            else
                links.FollowAddresses();
            _failed = false;
        }
        catch (LinkException e) when (!broken || e.Fault == LinkFault.Network)
        {
            // What is not broken is used on until the other way opens.
            _failed = true;
            Complain(e.Message);
        }
    }

    private void Replace()
    {
        IReadOnlyList<IPacketLink> next = links.Open();
        _broken = false;
        // If the kernel shares flows out no more, the first gets them all.
        for (int i = 0; i < next.Count; i++)
            standing[i].Replace(next[i]);
        _backOff.Reset();
        _lastProblem = "";
    }

    private void Complain(string problem)
    {
        // Each receiver may say so.
        if (Interlocked.Exchange(ref _lastProblem, problem) != problem)
            LogProblem(logger, problem);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}; opening the link again")]
    private static partial void LogProblem(ILogger logger, string problem);
}
