using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;

namespace Tunnel.App.Hosting;

/// <summary>
/// Reads the file again when it has changed, and on SIGHUP, which mostly comes with a change: what has been read is not read twice. What is
/// live takes effect; what is not is named; a file with an error changes nothing.
/// </summary>
/// <param name="started">What the process started with.</param>
/// <param name="load">Reads the file again.</param>
/// <param name="apply">Lets a changed configuration take effect, as far as it is live.</param>
/// <param name="show">Takes the text of what is in force now, and of what awaits a restart.</param>
/// <param name="systemd">Is told that a reload is under way.</param>
/// <param name="logger">Where a user sees what became of it.</param>
internal sealed partial class ConfigReloader<T>(
    ConfigResult<T> started,
    Func<string, ConfigResult<T>> load,
    Action<T> apply,
    Action<string> show,
    SystemdNotifier systemd,
    ILogger logger)
    : IHostedService, IDisposable
    where T : class
{
    private readonly Lock _lock = new();
    private ConfigSettings _applied = started.Settings!;
    // What was read, while nothing can have changed unseen since then.
    private ConfigResult<T>? _known;
    private ConfigWatch? _watch;
    private IReadOnlyList<string> _watched = [];
    private PosixSignalRegistration? _hangUp;
    private bool _stopped;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // What the watch tells at once waits until it is known who watches.
        lock (_lock)
            Watch(started.Files);
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            // It would end the process.
            context.Cancel = true;
            Reload(isAsked: true);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        lock (_lock)
            _stopped = true;
        _hangUp?.Dispose();
        _watch?.Dispose();
    }

    private void Reload(bool isAsked)
    {
        lock (_lock)
        {
            bool isNew = !_stopped && _watch!.TakeChange();
            if (_stopped || (!isNew && !isAsked))
                return;
            systemd.Reloading();
            systemd.Reloaded(Follow(isNew, isAsked));
        }
    }

    /// <summary>What an operator should know about what became of it.</summary>
    private string Follow(bool isNew, bool isAsked)
    {
        try
        {
            ConfigResult<T> result = !isNew && _known is not null ? Repeat(_known) : Read(isAsked);
            return result.IsValid ? "" : $"{result.FileName} has errors and was not taken over; see the log";
        }
        catch (Exception defect)
        {
            // On a signal's thread or the watch's it would end the process, and with it whatever the tunnel carries.
            DefectLog.OfProcess.Met(defect, "a reload");
            return $"{started.FileName} was not wholly taken over; see the log";
        }
    }

    private ConfigResult<T> Read(bool isAsked)
    {
        ConfigResult<T> next = load(started.FileName);
        foreach (ConfigProblem warning in next.Warnings)
            LogWarning(logger, warning.ToString(next.FileName));
        if (next.IsValid)
            Follow(next.Config, next.Settings, next.Shown, isAsked);
        else
            Refuse(next);
        // A file that nobody watched may have changed since.
        _known = next.Files.SequenceEqual(_watched) ? next : null;
        Watch(next.Files);
        return next;
    }

    /// <summary>Somebody asks, but what there is has been read: he wants to know how it is, and what depends on the host to be tried again.</summary>
    private ConfigResult<T> Repeat(ConfigResult<T> known)
    {
        if (known.IsValid)
        {
            LogUnchanged(logger, known.FileName);
            apply(known.Config);
        }
        else
        {
            LogStillRefused(logger, known.FileName, known.Problems[0].ToString(known.FileName));
        }

        return known;
    }

    /// <summary>Live keys against what is in force, the others against the start: those still wait for a restart.</summary>
    private void Follow(T config, ConfigSettings settings, ShownConfig shown, bool isAsked)
    {
        string[] live = [.. _applied.ChangesTo(settings).Where(c => c.IsLive).Select(c => c.Name)];
        string[] waiting = [.. started.Settings!.ChangesTo(settings).Where(c => !c.IsLive).Select(c => c.Name)];
        _applied = settings;
        show(started.Shown!.WithReloaded(shown, waiting));
        LogReloaded(logger, started.FileName, live.Length == 0 ? "nothing that is live" : string.Join(", ", live));
        foreach (string name in waiting)
            LogNeedsRestart(logger, name);
        if (live.Length != 0 || isAsked)
            apply(config);
    }

    private void Refuse(ConfigResult<T> next)
    {
        foreach (ConfigProblem problem in next.Problems)
            LogProblem(logger, problem.ToString(next.FileName));
        if (next.Problems.Count == 1)
            LogRefusedForOne(logger, next.FileName, 1);
        else
            LogRefused(logger, next.FileName, next.Problems.Count);
    }

    private void Watch(IReadOnlyList<string> files)
    {
        if (files.SequenceEqual(_watched))
            return;
        _watch?.Dispose();
        _watched = files;
        _watch = new ConfigWatch(files, () => Reload(isAsked: false));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} was read again; changed: {Changes}")]
    private static partial void LogReloaded(ILogger logger, string file, string changes);

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} has not changed since it was read; listeners listen again")]
    private static partial void LogUnchanged(ILogger logger, string file);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "{File} has not changed since its errors were logged, and everything stays as it was; the first was {Problem}")]
    private static partial void LogStillRefused(ILogger logger, string file, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} has changed and needs a restart")]
    private static partial void LogNeedsRestart(ILogger logger, string key);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void LogWarning(ILogger logger, string warning);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "{File} has {Count} error; everything stays as it was")]
    private static partial void LogRefusedForOne(ILogger logger, string file, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "{File} has {Count} errors; everything stays as it was")]
    private static partial void LogRefused(ILogger logger, string file, int count);
}
